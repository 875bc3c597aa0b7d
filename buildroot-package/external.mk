include $(sort $(wildcard $(BR2_EXTERNAL_PIVITALS_PATH)/package/*/*.mk))
